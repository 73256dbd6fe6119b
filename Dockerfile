# One image for web, worker, beat and the simulators; the command chooses.

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt .
# Wheels only: nothing is compiled, so no compiler is needed.
RUN python -m venv /venv \
    && /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . .
# Keys made up here stay in this stage.
RUN CRMSYNC_DATA=/tmp/build STATIC_ROOT=/app/static-files \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CRMSYNC_DATA=/data STATIC_ROOT=/app/static-files
RUN useradd --system --uid 10001 --home-dir /app crmsync \
    && install -d -o crmsync -g crmsync -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER crmsync
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "crmsync.asgi:application", "--host=0.0.0.0", "--port=8000"]
