# The image of Skill Admission. `npm run image` calls this with every argument; docs/image.md explains them.
# Both bases bring Node 24 or later. For a build that can be repeated, name them by digest:
#   --build-arg BUILD_IMAGE=node:24-bookworm-slim@sha256:…   --build-arg RUNTIME_IMAGE=…@sha256:…
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=node:24-bookworm-slim

FROM ${BUILD_IMAGE} AS build
# What is compiled, and with what. The secrets are for mirrors: an npmrc, and the CA that it may name; both optional.
WORKDIR /build
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    npm ci --omit=peer --omit=optional --ignore-scripts --no-audit --no-fund --prefer-offline

# What is shipped: the packages of production alone, without what Node never reads, and the list of them.
COPY scripts/sbom.ts scripts/
COPY scripts/image scripts/image
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --prefer-offline \
    && node /build/scripts/image/trim-packages.ts .
ARG SOURCE_DATE_EPOCH
RUN node /build/scripts/sbom.ts . > sbom.cdx.json

WORKDIR /build
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npx tsc -p tsconfig.build.json

# Nothing runs in this stage, so that its base needs no shell.
FROM ${RUNTIME_IMAGE}
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/package.json /app/LICENSE /app/
COPY --from=build /app/sbom.cdx.json /usr/share/skill-admission/
COPY --from=build /build/dist /app/dist
ARG VERSION=unknown
ARG SOURCE_REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="skill-admission" \
      org.opencontainers.image.description="Kubernetes admission control for AI agent skills" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${SOURCE_REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# Distroless images keep Node in /nodejs/bin.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin \
    NODE_ENV=production \
    SOURCE_REVISION=${SOURCE_REVISION}
WORKDIR /app
USER 65532:65532
EXPOSE 8443 9090
# The young generation is bounded: by Node's defaults it grows to 128 MiB.
ENTRYPOINT ["node", "--max-semi-space-size=16", "/app/dist/main.js"]
CMD ["serve"]
