# One image for all commands: `rerank`, `ingest`, `reindex` and the others are of the same program. The model is inside.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src src
# The inference library brings its binaries for every platform, and the compiler its maps.
RUN npx --no-install tsc -p tsconfig.json && npm prune --omit=dev \
  && rm -rf node_modules/onnxruntime-node/bin/napi-v*/darwin node_modules/onnxruntime-node/bin/napi-v*/win32 \
  && find dist/src -name '*.map' -delete

FROM node:20-slim
# The admin port must be reachable from outside the container's network for health checks and metrics; what is
# published of it is up to whoever runs the container.
ENV NODE_ENV=production PATH=/app/bin:$PATH TWINRANK_ADMIN=0.0.0.0:9210 TWINRANK_CACHE=/var/cache/twinrank
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY models models
COPY mappings mappings
COPY playground playground
COPY LICENSE NOTICE ./
# The only folder that is ever written to: everything runs with a read-only root and this one in memory.
RUN mkdir -p /var/cache/twinrank bin && chown 1000:1000 /var/cache/twinrank \
  && ln -s ../dist/src/cli/main.js bin/twinrank && chmod 755 dist/src/cli/main.js
# By number (it is the user "node"), so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 9201 9202 9210
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "/app/dist/src/cli/health-check.js"]
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["--help"]
