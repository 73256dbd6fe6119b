from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0010_link_hidden'),
    ]

    operations = [
        migrations.AddField(
            model_name='objectmapping',
            name='clear_ties',
            field=models.BooleanField(default=False),
        ),
    ]
