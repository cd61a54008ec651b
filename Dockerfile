# Two stages: a compiler that stays behind, and an image that holds fmixd, the shared libraries it
# names, and nothing else: no shell, no package manager.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev make pkg-config libmicrohttpd-dev libfftw3-dev libjansson-dev \
        libsodium-dev libmpfr-dev libpng-dev libdeflate-dev libturbojpeg0-dev libgnutls28-dev
WORKDIR /src
COPY Makefile ./
COPY lib lib
COPY server server
RUN make -j"$(nproc)" && strip build/fmixd && build/fmixd selftest
RUN mkdir -p /image/usr/bin && cp build/fmixd /image/usr/bin/ && \
    ldd build/fmixd | awk '$2 == "=>" {print $3} $1 ~ /^\// {print $1}' | \
    xargs cp --parents -L -t /image

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENV FMIXD_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/fmixd", "healthcheck"]
ENTRYPOINT ["/usr/bin/fmixd"]
