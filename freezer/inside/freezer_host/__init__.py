"""The program that ``freeze check --on`` runs on each host: ``host.pyz TASK HOST``.

It runs an environment's image with the settings of ``freeze check`` and writes what the trainings
reported to one result file. ``host.pyz run TASK`` is the job of ``freeze run --on``: a user's own
training with the settings of ``freeze run``. It compares nothing. Python 3.8 and later, standard
library only; nothing else of Freezer is installed on the host.
"""
