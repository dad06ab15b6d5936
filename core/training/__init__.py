"""One engine for every method: planning, the loop, schedules, validation, resume."""
