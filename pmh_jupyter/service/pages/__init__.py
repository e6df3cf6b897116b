"""The pages of the service: one module per page, with its PAGES at the end."""
