"""Who may do what: logins, their rights, what is verified and mended, and limits held from outside."""
