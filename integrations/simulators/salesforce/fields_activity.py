"""The standard fields of events, tasks, notes and campaigns (see catalogue.py).

Event is as recorded in a live describe. Of the others only names and types are
published; their lengths and flags are what is commonly known, not confirmed.
"""

_TASK_STATUS = (
    "Status picklist 255 rcud Status =Not Started : Not Started|In Progress|Completed|"
    "Waiting on someone else|Deferred"
)

LINES = {
    "Event": """
WhoId reference 18 cup Name ID > Contact,Lead as Who
WhatId reference 18 cup Related To ID > Account,Campaign,Opportunity as What
Subject combobox 255 cunG Subject : Call|Email|Meeting|Send Letter/Quote|Other
Location string 255 cup Location
IsAllDayEvent boolean 0 rcudp All-Day Event
ActivityDateTime datetime 0 cu Due Date Time
ActivityDate date 0 cu Due Date Only
DurationInMinutes int 8d cu Duration
StartDateTime datetime 0 cu Start Date Time
EndDateTime datetime 0 cu End Date Time
EndDate date 0 - End Date
Description textarea 32000 cuFSpG Description
AccountId reference 18 - Account ID > Account as Account
OwnerId reference 18 rcud Assigned To ID > User as Owner
IsPrivate boolean 0 rcud Private
ShowAs picklist 40 cudx Show Time As =Busy : Busy|OutOfOffice~Out of Office|Free
IsChild boolean 0 rd Is Child
IsGroupEvent boolean 0 rd Is Group Event
GroupEventType picklist 40 dx Group Event Type =0 : 0~Non-group Event|1~Group Event|
 2~Proposed Event|3~IsRecurrence2 Series Pattern
IsArchived boolean 0 rd Archived
ReminderDateTime datetime 0 cu Reminder Date/Time
IsReminderSet boolean 0 rcud Reminder Set
EventSubtype picklist 40 cx Event Subtype : Event
""",
    "Task": f"""
WhoId reference 18 cup Name ID > Contact,Lead as Who
WhatId reference 18 cup Related To ID > Account,Campaign,Opportunity as What
Subject combobox 255 cupG Subject : Call|Email|Send Letter|Send Quote|Other
ActivityDate date 0 cup Due Date Only
{_TASK_STATUS}
Priority picklist 255 rcud Priority =Normal : High|Normal|Low
IsHighPriority boolean 0 rd High Priority
OwnerId reference 18 rcud Assigned To ID > Group,User as Owner
Description textarea 32000 cuFSpG Description
AccountId reference 18 - Account ID > Account as Account
IsClosed boolean 0 rd Closed
IsArchived boolean 0 rd Archived
CallDurationInSeconds int 8d cup Call Duration
CallType picklist 40 cuxp Call Type : Internal|Inbound|Outbound
CallDisposition string 255 cup Call Result
CallObject string 255 cup Call Object Identifier
ReminderDateTime datetime 0 cup Reminder Date/Time
IsReminderSet boolean 0 rcud Reminder Set
TaskSubtype picklist 40 cx Task Subtype : Task|Email|ListEmail|Cadence|Call|
 LinkedIn
CompletedDateTime datetime 0 - Completed Date
""",
    "Note": """
ParentId reference 18 rc Parent ID > Account,Contact,Lead,Opportunity as Parent
Title string 80 rcun Title
IsPrivate boolean 0 rcud Private
Body textarea 32000 cuFSG Body
OwnerId reference 18 rcud Owner ID > User as Owner
""",
    "Campaign": """
Name string 80 rcun Name
ParentId reference 18 cup Parent Campaign ID > Campaign as Parent
Type picklist 40 cup Type : Conference|Webinar|Trade Show|Public Relations|Partners|
 Referral Program|Advertisement|Banner Ads|Direct Mail|Email|Telemarketing|Other
Status picklist 40 cudp Status =Planned : Planned|In Progress|Completed|Aborted
StartDate date 0 cup Start Date
EndDate date 0 cup End Date
ExpectedRevenue currency 18.0 cup Expected Revenue
BudgetedCost currency 18.0 cup Budgeted Cost
ActualCost currency 18.0 cup Actual Cost
ExpectedResponse percent 10.2 cup Expected Response (%)
NumberSent double 18.0 cup Num Sent
IsActive boolean 0 rcud Active
Description textarea 32000 cuFSpG Description
NumberOfLeads int 8d r Leads in Campaign
NumberOfConvertedLeads int 8d r Converted Leads in Campaign
NumberOfContacts int 8d r Contacts in Campaign
NumberOfResponses int 8d r Responses in Campaign
NumberOfOpportunities int 8d r Opportunities in Campaign
NumberOfWonOpportunities int 8d r Won Opportunities in Campaign
AmountAllOpportunities currency 18.0 r Value Opportunities in Campaign
AmountWonOpportunities currency 18.0 r Value Won Opportunities in Campaign
OwnerId reference 18 rcud Owner ID > User as Owner
LastActivityDate date 0 - Last Activity
LastViewedDate datetime 0 - Last Viewed Date
LastReferencedDate datetime 0 - Last Referenced Date
""",
    "CampaignMember": """
CampaignId reference 18 rc Campaign ID > Campaign as Campaign
LeadId reference 18 cu Lead ID > Lead as Lead
ContactId reference 18 cu Contact ID > Contact as Contact
Status picklist 40 cudp Status : Sent|Responded
HasResponded boolean 0 rd Responded
FirstRespondedDate date 0 - First Responded Date
Salutation picklist 40 - Salutation : Mr.|Ms.|Mrs.|Dr.|Prof.|Mx.
Name string 255 - Name
FirstName string 40 - First Name
LastName string 80 - Last Name
Title string 128 - Title
Street textarea 255 - Street
City string 40 - City
State string 80 - State/Province
PostalCode string 20 - Zip/Postal Code
Country string 80 - Country
Email email 80 - Email
Phone phone 40 - Phone
MobilePhone phone 40 - Mobile
LeadSource picklist 255 - Lead Source : Web|Phone Inquiry|Partner Referral|
 Purchased List|Other
CompanyOrAccount string 255 - Company (Account)
Type string 40 - Type
LeadOrContactId reference 18 - Related Record ID > Contact,Lead as LeadOrContact
LeadOrContactOwnerId reference 18 - Related Record Owner ID > Group,User as
 LeadOrContactOwner
""",
    "CampaignMemberStatus": """
CampaignId reference 18 rc Campaign ID > Campaign
Label string 765 rcun Label
SortOrder int 9d cu Sort Order
IsDefault boolean 0 rcud Is Default
HasResponded boolean 0 rcud Responded
""",
}
