# The base is pinned by version, not by digest: none could be looked up when this was written; a tag
# with its digest may be given as PYTHON.
# One image for api, web, the migration and the simulator. Another base (a mirror, or one made by
# hand) is given with --build-arg PYTHON=...; the requirements are pinned with hashes.
ARG PYTHON=python:3.11.16-slim-bookworm

FROM ${PYTHON} AS build
COPY requirements/app.txt /tmp/app.txt
# Wheels only: what would need a compiler fails here. The environment holds no pip.
RUN python -m venv --without-pip /opt/minitwit && \
    python -m pip --python /opt/minitwit/bin/python install --no-cache-dir --require-hashes \
        --only-binary=:all: --disable-pip-version-check --requirement /tmp/app.txt

FROM ${PYTHON}
RUN groupadd --gid 10001 minitwit && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv --shell /usr/sbin/nologin minitwit && \
    install --directory --owner=10001 --group=10001 /var/log/minitwit /var/lib/minitwit
COPY --from=build /opt/minitwit /opt/minitwit
COPY . /srv
WORKDIR /srv
# A replica that starts beside others must not spend their processor time on compiling.
RUN python -m compileall -q /srv
ENV PATH=/opt/minitwit/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0
USER 10001:10001
EXPOSE 5000 5001
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-I", "/srv/app/healthcheck.py"]
ENTRYPOINT ["python", "-m"]
CMD ["app", "api"]
