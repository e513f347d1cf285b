# The image of a release, from the programs that GoReleaser built.
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY ${TARGETPLATFORM}/tfguard /usr/bin/tfguard
USER nonroot:nonroot
WORKDIR /work
ENTRYPOINT ["/usr/bin/tfguard"]
