# The service for production: installed once, run by a user of no rights, from a file system that it cannot write to.
FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY cds cds
COPY hooks hooks
RUN python -m venv /opt/firstline && /opt/firstline/bin/pip install --no-cache-dir .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent firstline \
    && mkdir /data && chown firstline /data
COPY --from=build /opt/firstline /opt/firstline
ENV PATH=/opt/firstline/bin:$PATH PYTHONDONTWRITEBYTECODE=1 FIRSTLINE_HOST=0.0.0.0 FIRSTLINE_PORT=8080 \
    FIRSTLINE_CONFIG=/etc/firstline/settings.toml FIRSTLINE_DATABASE_URL=sqlite:////data/firstline.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-m", "hooks.health"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "hooks.serve"]
