"""The standard fields of users, settings and permissions (see catalogue.py).

Only names and types are published; lengths and flags are what is commonly known, not
confirmed. Preferences of users are left out.
"""

_PICKLIST_ROW = """
MasterLabel string 255 n Master Label
ApiName string 255 ri Api Name
SortOrder int 9d - Sort Order
"""

LINES = {
    "User": """
Username string 80 rcui Username
LastName string 80 rcu Last Name @Name
FirstName string 40 cu First Name @Name
Name string 121 rn Full Name
CompanyName string 80 cu Company Name
Division string 80 cu Division
Department string 80 cu Department
Title string 80 cu Title
Street textarea 255 cu Street @Address
City string 40 cu City @Address
State string 80 cu State/Province @Address
PostalCode string 20 cu Zip/Postal Code @Address
Country string 80 cu Country @Address
Address address 0 S Address
Email email 128 rcui Email
Phone phone 40 cu Phone
MobilePhone phone 40 cu Mobile
Alias string 8 rcu Alias
CommunityNickname string 40 rcu Nickname
IsActive boolean 0 rcud Active
TimeZoneSidKey string 40 rcud Time Zone =Europe/Paris
LocaleSidKey string 40 rcud Locale =en_US
EmailEncodingKey string 40 rcud Email Encoding =UTF-8
LanguageLocaleKey string 40 rcud Language =en_US
UserType string 40 - User Type
EmployeeNumber string 20 cu Employee Number
ManagerId reference 18 cu Manager ID > User as Manager
LastLoginDate datetime 0 - Last Login
FederationIdentifier string 512 cui SAML Federation ID
AboutMe textarea 1000 cuFSG About Me
""",
    "Group": """
Name string 40 rcun Name
DeveloperName string 80 cui Developer Name
RelatedId reference 18 - Related ID > User as Related
Type picklist 40 rcx Type : Regular~Public Group|Queue|Role|Organization
Email email 255 cu Email
DoesSendEmailToMembers boolean 0 rcud Send Email to Members
DoesIncludeBosses boolean 0 rcud Include Bosses
OwnerId reference 18 - Owner ID > User as Owner
""",
    "Organization": """
Name string 80 run Name
Division string 80 u Division
Street textarea 255 u Street @Address
City string 40 u City @Address
PostalCode string 20 u Zip/Postal Code @Address
Country string 80 u Country @Address
PrimaryContact string 80 u Primary Contact
DefaultLocaleSidKey string 40 ru Locale
TimeZoneSidKey string 40 ru Time Zone
LanguageLocaleKey string 40 ru Language
NamespacePrefix string 15 - Namespace Prefix
InstanceName string 5 - Instance Name
IsSandbox boolean 0 - Is Sandbox
OrganizationType picklist 40 - Edition : Developer Edition|Enterprise Edition|
 Professional Edition|Unlimited Edition
FiscalYearStartMonth int 9d u Fiscal Year Starts In
""",
    "OpportunityStage": f"""{_PICKLIST_ROW}IsActive boolean 0 r Is Active
IsClosed boolean 0 r Closed
IsWon boolean 0 r Won
ForecastCategory picklist 40 rx Forecast Category : Omitted|Pipeline|BestCase|
 MostLikely|Forecast|Closed
ForecastCategoryName picklist 255 rx Forecast Category Name : Omitted|Pipeline|
 Best Case|Commit|Closed
DefaultProbability percent 3.0 - Probability (%)
Description string 255 - Description
""",
    "LeadStatus": f"""{_PICKLIST_ROW}IsDefault boolean 0 r Is Default
IsConverted boolean 0 r Converted
""",
    "TaskStatus": f"""{_PICKLIST_ROW}IsDefault boolean 0 r Is Default
IsClosed boolean 0 r Closed
""",
    "TaskPriority": f"""{_PICKLIST_ROW}IsDefault boolean 0 r Is Default
IsHighPriority boolean 0 r High Priority
""",
    "PermissionSet": """
Name string 80 rcui Permission Set Name
Label string 80 rcun Permission Set Label
Description string 255 cu Description
IsCustom boolean 0 rd Is Custom
IsOwnedByProfile boolean 0 rd Is Owned By Profile
NamespacePrefix string 15 - Namespace Prefix
""",
    "PermissionSetAssignment": """
PermissionSetId reference 18 rc Permission Set ID > PermissionSet as PermissionSet
AssigneeId reference 18 rc Assignee ID > User as Assignee
""",
    "FieldPermissions": """
ParentId reference 18 rc Parent ID > PermissionSet as Parent
SobjectType string 40 rc Sobject Type
Field string 255 rc Field Name
PermissionsRead boolean 0 rcud Read Access
PermissionsEdit boolean 0 rcud Edit Access
""",
}
