"""Runs that other tools recorded: MLflow's stores and TensorBoard's event files.

Small readers of documented formats; neither tool is imported. Whatever is read may be hostile.
"""
