# Stages with a compiler that stay behind, and an image that holds fmixd, the shared libraries it
# names, its SBOM, and nothing else: no shell, no package manager.
#
# The same sources, packages of Debian and SOURCE_DATE_EPOCH make the same bytes: see deploy/README.
#
# For amd64 and arm64 (--platform): the first stage is of the building machine's own kind and
# compiles for the other, so that nothing is emulated.
FROM --platform=$BUILDPLATFORM debian:13-slim AS packages
ARG TARGETARCH
RUN target=${TARGETARCH:-$(dpkg --print-architecture)} && \
    case $target in \
        amd64) cpu=x86_64 ;; \
        arm64) cpu=aarch64 ;; \
        *) echo "no recipe for $target" >&2; exit 1 ;; \
    esac && \
    triplet=$cpu-linux-gnu && echo "$triplet" > /triplet && \
    if [ "$cpu" = "$(uname -m)" ]; then gcc=gcc; else gcc=gcc-$(echo "$triplet" | tr _ -); fi && \
    dpkg --add-architecture "$target" && apt-get update && \
    apt-get install -y --no-install-recommends make "$gcc" $(printf "%s:$target " \
        libc6-dev libmicrohttpd-dev libfftw3-dev libjansson-dev libsodium-dev libmpfr-dev \
        libpng-dev libdeflate-dev libjpeg62-turbo-dev libgnutls28-dev)

FROM packages AS build
WORKDIR /src
COPY Makefile ./
COPY lib lib
COPY server server
# MPFR and libsodium are large, and fmixd calls little of them: what it calls is linked into it.
RUN triplet=$(cat /triplet) && mkdir /static && \
    ln -s "/usr/lib/$triplet/libmpfr.a" "/usr/lib/$triplet/libsodium.a" /static/ && \
    LDFLAGS=-L/static make -j"$(nproc)" CC="$triplet-gcc" AR="$triplet-ar" && \
    "$triplet-strip" build/fmixd && \
    if [ "$triplet" = "$(uname -m)-linux-gnu" ]; then build/fmixd selftest; fi
# What ldd would list, which cannot run what is for another machine: the loader, where the program
# asks for it, and what each file needs.
RUN triplet=$(cat /triplet) && \
    loader=$("$triplet-readelf" -l build/fmixd | sed -n 's/.*program interpreter: \(.*\)]/\1/p') && \
    mkdir -p /image/usr/bin "/image/lib/$triplet" && cp build/fmixd /image/usr/bin/ && \
    cp --parents -L "$loader" /image && \
    set -- build/fmixd && \
    while [ $# -gt 0 ]; do \
        needed=$("$triplet-readelf" -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)]/\1/p' | sort -u) && \
        set -- && \
        for name in $needed; do \
            file=/lib/$triplet/$name; \
            [ "$name" = "${loader##*/}" ] || [ -e "/image$file" ] || \
                { cp -L "$file" "/image$file" && set -- "$@" "$file"; } || exit 1; \
        done; \
    done
# What each file is and where it is from, and one time for all of them.
COPY deploy/sbom ./
ARG SOURCE_DATE_EPOCH=0
RUN export SOURCE_DATE_EPOCH && umask 022 && mkdir -p /image/usr/share/doc/fmixd && \
    perl sbom /image "$(sed -n 's/^VERSION *:= *//p' Makefile)" /static/* > /sbom.json && \
    cp /sbom.json /image/usr/share/doc/fmixd/sbom.spdx.json && \
    chmod -R u=rwX,go=rX /image && find /image -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENV FMIXD_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/bin/fmixd", "healthcheck"]
ENTRYPOINT ["/usr/bin/fmixd"]
