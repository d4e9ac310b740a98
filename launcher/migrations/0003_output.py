from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("launcher", "0002_preset"),
    ]

    operations = [
        migrations.AddField(
            model_name="chunk",
            name="times",
            field=models.BinaryField(default=b""),
        ),
    ]
