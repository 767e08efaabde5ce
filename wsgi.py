"""The site for any WSGI server: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`."""

from feeds import create_app

app = create_app()
