"""All numbers of a report, and the lock that checks them later."""
