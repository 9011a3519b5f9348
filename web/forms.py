"""What the panel's forms have in common."""

from flask_wtf import FlaskForm


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF brings no types
    """A form that has the token against foreign posts."""
