"""The program that ``freeze check --on`` runs on each host: ``host.pyz TASK HOST``.

It runs an environment's image with the settings of ``freeze check`` and writes what the trainings
reported to one result file. It compares nothing. Python 3.8 and later, standard library only;
nothing else of Freezer is installed on the host.
"""
