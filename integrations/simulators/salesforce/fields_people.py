"""The standard fields of leads and contacts, one per line (see catalogue.py).

As recorded in describes of a live organization.
"""

LINES = {
    "Lead": """
MasterRecordId reference 18 - Master Record ID > Lead as MasterRecord
LastName string 80 rcu Last Name @Name
FirstName string 40 cu First Name @Name
Salutation picklist 40 cu Salutation @Name : Mr.|Ms.|Mrs.|Dr.|Prof.|Mx.
Name string 121 rn Full Name
Title string 128 cup Title
Company string 255 rcu Company
Street textarea 255 cup Street @Address
City string 40 cup City @Address
State string 80 cup State/Province @Address
PostalCode string 20 cup Zip/Postal Code @Address
Country string 80 cup Country @Address
Latitude double 18.15 cup Latitude @Address
Longitude double 18.15 cup Longitude @Address
GeocodeAccuracy picklist 40 cuxp Geocode Accuracy @Address : Address|NearAddress|
 Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|Unknown
Address address 0 Sp Address
Phone phone 40 cup Phone
MobilePhone phone 40 cup Mobile Phone
Fax phone 40 cup Fax
Email email 80 cuip Email
Website url 255 cup Website
PhotoUrl url 255 - Photo URL
Description textarea 32000 cuFSpG Description
LeadSource picklist 255 cup Lead Source : Web|Phone Inquiry|Partner Referral|
 Purchased List|Other
Status picklist 255 rcud Status =Open - Not Contacted : Open - Not Contacted|Working
 - Contacted|Closed - Converted|Closed - Not Converted
Industry picklist 255 cup Industry : Agriculture|Apparel|Banking|Biotechnology|
 Chemicals|Communications|Construction|Consulting|Education|Electronics|Energy|
 Engineering|Entertainment|Environmental|Finance|Food & Beverage|Government|
 Healthcare|Hospitality|Insurance|Machinery|Manufacturing|Media|Not For Profit|
 Recreation|Retail|Shipping|Technology|Telecommunications|Transportation|Utilities|
 Other
Rating picklist 255 cup Rating : Hot|Warm|Cold
AnnualRevenue currency 18.0 cup Annual Revenue
NumberOfEmployees int 8d cup Employees
OwnerId reference 18 rcud Owner ID > Group,User as Owner
IsConverted boolean 0 rcd Converted
ConvertedDate date 0 - Converted Date
ConvertedAccountId reference 18 - Converted Account ID > Account as ConvertedAccount
ConvertedContactId reference 18 - Converted Contact ID > Contact as ConvertedContact
ConvertedOpportunityId reference 18 - Converted Opportunity ID > Opportunity as
 ConvertedOpportunity
IsUnreadByOwner boolean 0 rcud Unread By Owner
LastActivityDate date 0 - Last Activity
LastViewedDate datetime 0 - Last Viewed Date
LastReferencedDate datetime 0 - Last Referenced Date
Jigsaw string 20 cup Data.com Key
JigsawContactId string 20 - Jigsaw Contact ID > as JigsawContact
CleanStatus picklist 40 cuxp Clean Status : Matched~In Sync|Different|
 Acknowledged~Reviewed|NotFound~Not Found|Inactive|Pending~Not Compared|
 SelectMatch~Select Match|Skipped
CompanyDunsNumber string 9 cup Company D-U-N-S Number
DandbCompanyId reference 18 cup D&B Company ID > DandBCompany as DandbCompany
EmailBouncedReason string 255 u Email Bounced Reason
EmailBouncedDate datetime 0 u Email Bounced Date
IndividualId reference 18 cu Individual ID > Individual as Individual
""",
    "Contact": """
MasterRecordId reference 18 - Master Record ID > Contact as MasterRecord
AccountId reference 18 cup Account ID > Account as Account
LastName string 80 rcu Last Name @Name
FirstName string 40 cu First Name @Name
Salutation picklist 40 cu Salutation @Name : Mr.|Ms.|Mrs.|Dr.|Prof.
Name string 121 rn Full Name
OtherStreet textarea 255 cup Other Street @OtherAddress
OtherCity string 40 cup Other City @OtherAddress
OtherState string 80 cup Other State/Province @OtherAddress
OtherPostalCode string 20 cup Other Zip/Postal Code @OtherAddress
OtherCountry string 80 cup Other Country @OtherAddress
OtherLatitude double 18.15 cup Other Latitude @OtherAddress
OtherLongitude double 18.15 cup Other Longitude @OtherAddress
OtherGeocodeAccuracy picklist 40 cuxp Other Geocode Accuracy @OtherAddress :
 Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|
 Unknown
OtherAddress address 0 Sp Other Address
MailingStreet textarea 255 cup Mailing Street @MailingAddress
MailingCity string 40 cup Mailing City @MailingAddress
MailingState string 80 cup Mailing State/Province @MailingAddress
MailingPostalCode string 20 cup Mailing Zip/Postal Code @MailingAddress
MailingCountry string 80 cup Mailing Country @MailingAddress
MailingLatitude double 18.15 cup Mailing Latitude @MailingAddress
MailingLongitude double 18.15 cup Mailing Longitude @MailingAddress
MailingGeocodeAccuracy picklist 40 cuxp Mailing Geocode Accuracy @MailingAddress :
 Address|NearAddress|Block|Street|ExtendedZip|Zip|Neighborhood|City|County|State|
 Unknown
MailingAddress address 0 Sp Mailing Address
Phone phone 40 cup Business Phone
Fax phone 40 cup Business Fax
MobilePhone phone 40 cup Mobile Phone
HomePhone phone 40 cup Home Phone
OtherPhone phone 40 cup Other Phone
AssistantPhone phone 40 cup Asst. Phone
ReportsToId reference 18 cup Reports To ID > Contact as ReportsTo
Email email 80 cuip Email
Title string 128 cup Title
Department string 80 cup Department
AssistantName string 40 cup Assistant's Name
LeadSource picklist 255 cup Lead Source : Web|Phone Inquiry|Partner Referral|
 Purchased List|Other
Birthdate date 0 cup Birthdate
Description textarea 32000 cuFSpG Contact Description
OwnerId reference 18 rcud Owner ID > User as Owner
LastActivityDate date 0 - Last Activity
LastCURequestDate datetime 0 - Last Stay-in-Touch Request Date
LastCUUpdateDate datetime 0 - Last Stay-in-Touch Save Date
LastViewedDate datetime 0 - Last Viewed Date
LastReferencedDate datetime 0 - Last Referenced Date
EmailBouncedReason string 255 cu Email Bounced Reason
EmailBouncedDate datetime 0 cu Email Bounced Date
IsEmailBounced boolean 0 rd Is Email Bounced
PhotoUrl url 255 - Photo URL
Jigsaw string 20 cup Data.com Key
JigsawContactId string 20 - Jigsaw Contact ID > as JigsawContact
CleanStatus picklist 40 cuxp Clean Status : Matched~In Sync|Different|
 Acknowledged~Reviewed|NotFound~Not Found|Inactive|Pending~Not Compared|
 SelectMatch~Select Match|Skipped
IndividualId reference 18 cu Individual ID > Individual as Individual
""",
}
