"""The card of a set: a README with its numbers, plots and a contact sheet, written at the end of a build."""
