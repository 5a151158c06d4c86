"""The gettext catalogues and their compiler."""
