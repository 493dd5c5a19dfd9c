"""REST API and pages: views over the stores."""
