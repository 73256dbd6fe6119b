"""The built-in properties of the standard objects, one per line (see catalogue.py).

An indented line continues the one before it.
"""

_LIFECYCLE = (
    "lifecyclestage radio Lifecycle stage : subscriber:Subscriber/lead:Lead/"
    "marketingqualifiedlead:Marketing Qualified Lead/"
    "salesqualifiedlead:Sales Qualified Lead/opportunity:Opportunity/"
    "customer:Customer/evangelist:Evangelist/other:Other"
)
_LEAD_STATUS = (
    "hs_lead_status radio Lead status : NEW:New/OPEN:Open/IN_PROGRESS:In Progress/"
    "OPEN_DEAL:Open Deal/UNQUALIFIED:Unqualified/"
    "ATTEMPTED_TO_CONTACT:Attempted to Contact/CONNECTED:Connected/"
    "BAD_TIMING:Bad Timing"
)
_INDUSTRY = (
    "industry choice Industry : ACCOUNTING:Accounting/AIRLINES_AVIATION:Airlines/"
    "BANKING:Banking/BIOTECHNOLOGY:Biotechnology/COMPUTER_SOFTWARE:Computer Software/"
    "CONSTRUCTION:Construction/CONSUMER_GOODS:Consumer Goods/"
    "EDUCATION_MANAGEMENT:Education Management/FINANCIAL_SERVICES:Financial Services/"
    "HOSPITAL_HEALTH_CARE:Hospital and Health Care/INSURANCE:Insurance/"
    "INFORMATION_TECHNOLOGY_AND_SERVICES:Information Technology and Services/"
    "INTERNET:Internet/LEGAL_SERVICES:Legal Services/"
    "MANAGEMENT_CONSULTING:Management Consulting/"
    "MARKETING_AND_ADVERTISING:Marketing and Advertising/REAL_ESTATE:Real Estate/"
    "RETAIL:Retail/TELECOMMUNICATIONS:Telecommunications"
)
_SOURCES = (
    "ORGANIC_SEARCH:Organic Search/PAID_SEARCH:Paid Search/"
    "EMAIL_MARKETING:Email Marketing/SOCIAL_MEDIA:Organic Social/"
    "REFERRALS:Referrals/OTHER_CAMPAIGNS:Other Campaigns/"
    "DIRECT_TRAFFIC:Direct Traffic/OFFLINE:Offline Sources/PAID_SOCIAL:Paid Social"
)

LINES = {
    "contacts": f"""
email email Email
hs_additional_emails check Additional email addresses
firstname text First name
lastname text Last name
salutation text Salutation
jobtitle text Job title
company text Company name
website text Website URL
phone phone Phone number
mobilephone phone Mobile phone number
fax text Fax number
address text Street address
city text City
state text State/Region
zip text Postal code
country text Country/Region
{_LIFECYCLE}
{_LEAD_STATUS}
industry text Industry
annualrevenue text Annual revenue
numemployees choice Number of employees : 1-5/5-25/25-50/50-100/100-500/500-1000/1000+
hs_linkedin_url text LinkedIn URL
hs_language choice Preferred language : en:English/fr:French/de:German/es:Spanish/
  it:Italian
hs_persona choice Persona : persona_1:Founder/persona_2:Operations
hs_timezone choice Time zone : europe_slash_paris:Europe Paris/
  america_slash_new_york:New York
message area Message
date_of_birth text Date of birth
closedate time Close date
hs_email_optout bool Unsubscribed from all email
hs_marketable_status choice Marketing contact status ! : true:Marketing/
  false:Non-marketing
hubspotscore number HubSpot score =
hs_email_domain text Email domain =
hs_searchable_calculated_phone_number text Phone number without country code =
hs_searchable_calculated_mobile_number text Mobile number without country code =
hs_calculated_phone_number text Calculated phone number =
hs_analytics_source choice Original source ! : {_SOURCES}
hs_analytics_source_data_1 text Original source drill-down 1 !
hs_latest_source choice Latest source ! : {_SOURCES}
num_unique_conversion_events number Number of unique forms submitted !
num_associated_deals number Number of associated deals !
associatedcompanyid number Primary associated company ID !
notes_last_contacted time Last contacted !
notes_last_updated time Last activity date !
hs_lifecyclestage_lead_date time Became a lead date !
hs_lifecyclestage_customer_date time Became a customer date !
""",
    "companies": f"""
name text Company name
domain text Company domain name
website text Website URL
phone phone Phone number
description area Description
about_us area About us
address text Street address
address2 text Street address 2
city text City
state text State/Region
zip text Postal code
country text Country/Region
timezone text Time zone
{_INDUSTRY}
type choice Type : PROSPECT:Prospect/PARTNER:Partner/RESELLER:Reseller/VENDOR:Vendor/
  OTHER:Other
{_LIFECYCLE}
{_LEAD_STATUS}
annualrevenue number Annual revenue
numberofemployees number Number of employees
founded_year text Year founded
is_public bool Is public
linkedin_company_page text LinkedIn company page
linkedinbio text LinkedIn bio
twitterhandle text Twitter handle
hs_ideal_customer_profile choice Ideal customer profile tier : tier_1:Tier 1/
  tier_2:Tier 2/tier_3:Tier 3
hs_additional_domains check Additional domains !
hs_searchable_calculated_phone_number text Phone number without country code =
num_associated_contacts number Number of associated contacts !
num_associated_deals number Number of associated deals !
hs_num_open_deals number Number of open deals !
hs_analytics_source choice Original source ! : {_SOURCES}
notes_last_contacted time Last contacted !
closedate time Close date
""",
    "deals": f"""
dealname text Deal name
dealstage radio Deal stage
pipeline choice Pipeline
amount number Amount
deal_currency_code choice Currency : USD:US Dollar
closedate time Close date
dealtype radio Deal type : newbusiness:New Business/existingbusiness:Existing Business
description area Deal description
hs_priority choice Priority : low:Low/medium:Medium/high:High
hs_next_step text Next step
hs_manual_forecast_category choice Forecast category : OMIT/PIPELINE:Pipeline/
  BEST_CASE:Best case/COMMIT:Commit/CLOSED:Closed
closed_lost_reason area Closed lost reason
closed_won_reason area Closed won reason
hs_forecast_probability number Forecast probability
hs_deal_stage_probability number Deal probability =
hs_is_closed bool Is closed =
hs_is_closed_won bool Is closed won =
amount_in_home_currency number Amount in company currency =
num_associated_contacts number Number of associated contacts !
days_to_close number Days to close =
hs_analytics_source choice Original traffic source ! : {_SOURCES}
notes_last_contacted time Last contacted !
""",
    "tickets": """
subject text Ticket name
content area Ticket description
hs_pipeline choice Pipeline
hs_pipeline_stage choice Ticket status
hs_ticket_category check Category : PRODUCT_ISSUE:Product issue/
  BILLING_ISSUE:Billing issue/FEATURE_REQUEST:Feature request/
  GENERAL_INQUIRY:General inquiry
hs_ticket_priority choice Priority : LOW:Low/MEDIUM:Medium/HIGH:High/URGENT:Urgent
source_type choice Source : CHAT:Chat/EMAIL:Email/FORM:Form/PHONE:Phone
closed_date time Close date
hs_resolution area Resolution
""",
    "leads": """
hs_lead_name text Lead name
hs_lead_type choice Lead type : NEW_BUSINESS:New business/RE_ATTEMPTING:Re-attempting/
  UPSELL:Upsell
hs_lead_label choice Lead label : HOT:Hot/WARM:Warm/COLD:Cold
hs_lead_source choice Lead source : MANUAL:Manual/FORM:Form/OUTBOUND:Outbound
hs_pipeline choice Pipeline
hs_pipeline_stage choice Lead stage
""",
    "notes": """
hs_note_body html Note body
hs_timestamp time Activity date
hs_attachment_ids check Attached file IDs
""",
    "tasks": """
hs_timestamp time Due date
hs_task_subject text Task title
hs_task_body html Task notes
hs_task_status choice Task status : NOT_STARTED:Not started/IN_PROGRESS:In progress/
  WAITING:Waiting/DEFERRED:Deferred/COMPLETED:Completed
hs_task_priority choice Priority : NONE:None/LOW:Low/MEDIUM:Medium/HIGH:High
hs_task_type choice Task type : EMAIL:Email/CALL:Call/TODO:To-do/LINKED_IN:LinkedIn
hs_task_reminders text Reminders
hs_task_completion_date time Completed at !
hs_queue_membership_ids check Queue
hs_attachment_ids check Attached file IDs
""",
    "calls": """
hs_timestamp time Activity date
hs_call_title text Call title
hs_call_body html Call notes
hs_call_direction choice Call direction : INBOUND:Inbound/OUTBOUND:Outbound
hs_call_disposition text Call outcome
hs_call_duration number Call duration
hs_call_from_number text From number
hs_call_to_number text To number
hs_call_status choice Call status : BUSY/CALLING_CRM_USER/CANCELED/COMPLETED/
  CONNECTING/FAILED/IN_PROGRESS/NO_ANSWER/QUEUED/RINGING
hs_call_recording_url text Recording URL
hs_call_source text Call source
hs_activity_type text Call type
hs_attachment_ids check Attached file IDs
""",
    "emails": """
hs_timestamp time Activity date
hs_email_direction choice Email direction : EMAIL/INCOMING_EMAIL/FORWARDED_EMAIL
hs_email_subject text Email subject
hs_email_text area Text body
hs_email_html html Email body
hs_email_status choice Email send status : BOUNCED/FAILED/SCHEDULED/SENDING/SENT
hs_email_headers area Email headers
hs_email_from_email text Email from address =
hs_email_from_firstname text Email from first name =
hs_email_from_lastname text Email from last name =
hs_email_to_email text Email to address =
hs_email_sender_email text Email sender address =
hs_attachment_ids check Attached file IDs
""",
    "meetings": """
hs_timestamp time Activity date
hs_meeting_title text Meeting name
hs_meeting_body html Meeting description
hs_internal_meeting_notes html Internal meeting notes
hs_meeting_location text Meeting location
hs_meeting_external_url text External URL
hs_meeting_start_time time Meeting start time
hs_meeting_end_time time Meeting end time
hs_meeting_outcome choice Meeting outcome : SCHEDULED:Scheduled/COMPLETED:Completed/
  RESCHEDULED:Rescheduled/NO_SHOW:No show/CANCELED:Canceled
hs_attachment_ids check Attached file IDs
""",
    # The statuses: as several public clients write them; no page of the vendor's that
    # was at hand lists them, so UNCONFIRMED.
    "campaigns": """
hs_name text Campaign name
hs_start_date date Campaign start date
hs_end_date date Campaign end date
hs_notes area Campaign notes
hs_audience area Campaign audience
hs_currency_code choice Currency code
hs_campaign_status choice Campaign status : planned:Planned/in_progress:In progress/
  active:Active/paused:Paused/completed:Completed
hs_utm text Campaign UTM
hs_business_unit_ids check Brands
hs_goal area Campaign goal !
hs_owner owner Campaign owner !
hs_color_hex text Campaign color !
hs_created_by_user_id number Created by user ID !
hs_object_id number Record ID !
hs_budget_items_sum_amount number Campaign budget total !
hs_spend_items_sum_amount number Campaign spend total !
hs_revenue number Campaign revenue !~
hs_projected_budget number Projected budget !~
hs_origin_asset_id text Campaign ID !~
hs_createdate time Create date !~
hs_lastmodifieddate time Last modified date !~
""",
}  # fmt: skip
