from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0012_kept_apart"),
    ]

    operations = [
        migrations.AddField(
            model_name="fieldmapping",
            name="backward",
            field=models.BooleanField(default=False),
        ),
    ]
