"""The Compare page: runs beside each other, their differences, findings that are new or gone, waivers."""
