import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("integrations", "0003_two_way"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="connection",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="endpoints",
                to="integrations.connection",
            ),
        ),
    ]
