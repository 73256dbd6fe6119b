from django.db import migrations, models


def as_records(apps, schema_editor):
    """Rewrite the memberships that merges keep for an undo: they are records now."""
    merges = apps.get_model("leads", "Merge")
    for merge in merges.objects.exclude(kept={}).iterator():
        moved, rows = merge.kept.get("moved", {}), merge.kept.get("memberships", [])
        for field in ("lead_id", "campaign_id"):
            if f"campaignmember.{field}" in moved:
                ids = moved.pop(f"campaignmember.{field}")
                moved[f"campaign_member.{field}"] = ids
        for row in rows:
            if "since" in row:
                since = row.pop("since")
                row.update(custom={}, version=1, created_at=since, updated_at=since)
        merge.save(update_fields=["kept"])


class Migration(migrations.Migration):

    dependencies = [
        ('leads', '0006_index_only_once'),
    ]

    operations = [
        migrations.RenameField(
            model_name='campaignmember',
            old_name='since',
            new_name='created_at',
        ),
        migrations.AddField(
            model_name='campaignmember',
            name='custom',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='campaignmember',
            name='updated_at',
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AddField(
            model_name='campaignmember',
            name='version',
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AlterField(
            model_name='campaignmember',
            name='status',
            field=models.CharField(choices=[('contacted', 'Contacted'), ('responded', 'Responded')], default='contacted', max_length=20),
        ),
        migrations.AlterField(
            model_name='change',
            name='record_type',
            field=models.CharField(choices=[('lead', 'Lead'), ('company', 'Company'), ('deal', 'Deal'), ('activity', 'Activity'), ('campaign', 'Campaign'), ('campaign_member', 'Campaign member')], max_length=20),
        ),
        migrations.AlterField(
            model_name='customfield',
            name='record_type',
            field=models.CharField(choices=[('lead', 'Lead'), ('company', 'Company'), ('deal', 'Deal'), ('activity', 'Activity'), ('campaign', 'Campaign'), ('campaign_member', 'Campaign member')], max_length=20),
        ),
        migrations.AlterField(
            model_name='merge',
            name='record_type',
            field=models.CharField(choices=[('lead', 'Lead'), ('company', 'Company'), ('deal', 'Deal'), ('activity', 'Activity'), ('campaign', 'Campaign'), ('campaign_member', 'Campaign member')], max_length=20),
        ),
        migrations.AlterField(
            model_name='tombstone',
            name='record_type',
            field=models.CharField(choices=[('lead', 'Lead'), ('company', 'Company'), ('deal', 'Deal'), ('activity', 'Activity'), ('campaign', 'Campaign'), ('campaign_member', 'Campaign member')], max_length=20),
        ),
        migrations.RunPython(as_records, migrations.RunPython.noop),
    ]
