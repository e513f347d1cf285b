# tfguard from source. The image has no shell, and runs as a user without rights:
#   docker build -t tfguard .
#   docker run --rm -v "$PWD:/work:ro" tfguard check plan.json
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /tfguard ./cmd/tfguard

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /tfguard /usr/bin/tfguard
USER nonroot:nonroot
WORKDIR /work
ENTRYPOINT ["/usr/bin/tfguard"]
