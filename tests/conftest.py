"""What holds for all tests."""

from hypothesis import settings

# How fast an example is says something about the machine, not about the law.
settings.register_profile("lawful", deadline=None)
settings.load_profile("lawful")
