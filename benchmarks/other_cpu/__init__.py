"""The built-in trainings on another CPU, as an emulator has it."""
