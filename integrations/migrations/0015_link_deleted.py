from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0014_account_currency"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                fields=["connection", "gone_at"],
                name="link_deleted",
                condition=models.Q(("state", "deleted")),
            ),
        ),
    ]
