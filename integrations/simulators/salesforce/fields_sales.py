"""The standard fields of accounts, opportunities and contact roles (see catalogue.py).

As recorded in describes of a live organization.
"""

LINES = {
    "Account": """
MasterRecordId reference 18 - Master Record ID > Account as MasterRecord
Name string 255 rcun Account Name @Name
Type picklist 40 cup Account Type : Prospect|Customer - Direct|Customer - Channel|
 Channel Partner / Reseller|Installation Partner|Technology Partner|Other
RecordTypeId reference 18 cu Record Type ID > RecordType as RecordType
ParentId reference 18 cup Parent Account ID > Account as Parent
Primary_Contact__c reference 18 cup Parent Account ID > Contact as PrimaryContact
BillingStreet textarea 255 cup Billing Street @BillingAddress
BillingCity string 40 cup Billing City @BillingAddress
BillingState string 80 cup Billing State/Province @BillingAddress
BillingPostalCode string 20 cup Billing Zip/Postal Code @BillingAddress
BillingCountry string 80 cup Billing Country @BillingAddress
BillingLatitude double 18.15 cup Billing Latitude @BillingAddress
BillingLongitude double 18.15 cup Billing Longitude @BillingAddress
BillingGeocodeAccuracy picklist 40 cuxp Billing Geocode Accuracy @BillingAddress :
 Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|
 Unknown
BillingAddress address 0 Sp Billing Address
ShippingStreet textarea 255 cup Shipping Street @ShippingAddress
ShippingCity string 40 cup Shipping City @ShippingAddress
ShippingState string 80 cup Shipping State/Province @ShippingAddress
ShippingPostalCode string 20 cup Shipping Zip/Postal Code @ShippingAddress
ShippingCountry string 80 cup Shipping Country @ShippingAddress
ShippingLatitude double 18.15 cup Shipping Latitude @ShippingAddress
ShippingLongitude double 18.15 cup Shipping Longitude @ShippingAddress
ShippingGeocodeAccuracy picklist 40 cuxp Shipping Geocode Accuracy @ShippingAddress
 : Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|
 Unknown
ShippingAddress address 0 Sp Shipping Address
Phone phone 40 cup Account Phone
Fax phone 40 cup Account Fax
AccountNumber string 40 cup Account Number
Website url 255 cup Website
PhotoUrl url 255 - Photo URL
Sic string 20 cup SIC Code
Industry picklist 40 cup Industry : Agriculture|Apparel|Banking|Biotechnology|
 Chemicals|Communications|Construction|Consulting|Education|Electronics|Energy|
 Engineering|Entertainment|Environmental|Finance|Food & Beverage|Government|
 Healthcare|Hospitality|Insurance|Machinery|Manufacturing|Media|Not For Profit|
 Recreation|Retail|Shipping|Technology|Telecommunications|Transportation|Utilities|
 Other
AnnualRevenue currency 18.0 cup Annual Revenue
NumberOfEmployees int 8d cup Employees
Ownership picklist 40 cup Ownership : Public|Private|Subsidiary|Other
TickerSymbol string 20 cup Ticker Symbol
Description textarea 32000 cuFSpG Account Description
ns__Description__c textarea 32000 cuFSpG Account Description (Managed)
History__c textarea 32000 cuFSpG Account History (No-Namespace)
Rating picklist 40 cup Account Rating : Hot|Warm|Cold
Site string 80 cup Account Site
OwnerId reference 18 rcud Owner ID > User as Owner
ns__LinkedAccount__c reference 18 rcud Linked Account > Account as LinkedAccount
LastActivityDate date 0 - Last Activity
LastViewedDate datetime 0 - Last Viewed Date
LastReferencedDate datetime 0 - Last Referenced Date
IsPartner boolean 0 rud Partner Account
IsCustomerPortal boolean 0 rud Customer Portal Account
ChannelProgramName string 255 FS Channel Program Name
ChannelProgramLevelName string 255 FS Channel Program Level Name
Jigsaw string 20 cup Data.com Key
JigsawCompanyId string 20 - Jigsaw Company ID > as JigsawCompany
CleanStatus picklist 40 cuxp Clean Status : Matched~In Sync|Different|
 Acknowledged~Reviewed|NotFound~Not Found|Inactive|Pending~Not Compared|
 SelectMatch~Select Match|Skipped
AccountSource picklist 40 cup Account Source : Web|Phone Inquiry|Partner Referral|
 Purchased List|Other
DunsNumber string 9 cup D-U-N-S Number
Tradestyle string 255 cup Tradestyle
NaicsCode string 8 cup NAICS Code
NaicsDesc string 120 cup NAICS Description
YearStarted string 4 cup Year Started
SicDesc string 80 cup SIC Description
DandbCompanyId reference 18 cup D&B Company ID > DandBCompany as DandbCompany
OperatingHoursId reference 18 cup Operating Hour ID > OperatingHours as
 OperatingHours
""",
    "Opportunity": """
AccountId reference 18 cup Account ID > Account as Account
IsPrivate boolean 0 rcudp Private
Name string 120 rcuin Name
Description textarea 32000 cuFSpG Description
StageName picklist 255 rcu Stage : Prospecting|Qualification|Needs Analysis|Value
 Proposition|Id. Decision Makers|Perception Analysis|Proposal/Price Quote|
 Negotiation/Review|Closed Won|Closed Lost
Amount currency 18.2 cup Amount
Probability percent 3.0 cudp Probability (%)
ExpectedRevenue currency 18.2 p Expected Amount
TotalOpportunityQuantity double 18.2 cup Quantity
CloseDate date 0 rcu Close Date
Type picklist 255 cup Opportunity Type : Existing Customer - Upgrade|Existing
 Customer - Replacement|Existing Customer - Downgrade|New Customer
NextStep string 255 cup Next Step
LeadSource picklist 255 cup Lead Source : Web|Phone Inquiry|Partner Referral|
 Purchased List|Other
IsClosed boolean 0 rd Closed
IsWon boolean 0 rd Won
ForecastCategory picklist 40 rx Forecast Category : Omitted|Pipeline|BestCase~Best
 Case|MostLikely~Most Likely|Forecast~Commit|Closed
ForecastCategoryName picklist 255 cudx Forecast Category : Omitted|Pipeline|Best
 Case|Commit|Closed
CampaignId reference 18 cup Campaign ID > Campaign as Campaign
HasOpportunityLineItem boolean 0 rd Has Line Item
Pricebook2Id reference 18 cud Price Book ID > Pricebook2 as Pricebook2
OwnerId reference 18 rcud Owner ID > User as Owner
LastActivityDate date 0 - Last Activity
LastStageChangeDate datetime 0 - Last Stage Change Date
FiscalQuarter int 8d - Fiscal Quarter @Fiscal
FiscalYear int 8d - Fiscal Year @Fiscal
Fiscal string 6 - Fiscal Period
ContactId reference 18 c Contact ID > Contact
LastViewedDate datetime 0 - Last Viewed Date
LastReferencedDate datetime 0 - Last Referenced Date
HasOpenActivity boolean 0 rdFS Has Open Activity
HasOverdueTask boolean 0 rdFS Has Overdue Task
LastAmountChangedHistoryId reference 18 - Opportunity History ID >
 OpportunityHistory as LastAmountChangedHistory
LastCloseDateChangedHistoryId reference 18 - Opportunity History ID >
 OpportunityHistory as LastCloseDateChangedHistory
""",
    "OpportunityContactRole": """
OpportunityId reference 18 rc Opportunity ID > Opportunity as Opportunity
ContactId reference 18 rcu Contact ID > Contact as Contact
Role picklist 40 cu Role : Business User|Decision Maker|Economic Buyer|Economic
 Decision Maker|Evaluator|Executive Sponsor|Influencer|Technical Buyer|Other
IsPrimary boolean 0 rcud Primary
""",
}
