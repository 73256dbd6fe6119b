from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0008_overlap"),
    ]

    operations = [
        migrations.AddField(
            model_name="fieldmapping",
            name="backward",
            field=models.BooleanField(default=False),
        ),
    ]
