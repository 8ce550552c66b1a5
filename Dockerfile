# One image for both services: `ingest` and `rerank` are commands of the same program.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src src
RUN npx --no-install tsc -p tsconfig.json && npm prune --omit=dev \
  # The inference library brings its binaries for every platform.
  && rm -rf node_modules/onnxruntime-node/bin/napi-v*/darwin node_modules/onnxruntime-node/bin/napi-v*/win32

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY models models
COPY mappings mappings
COPY LICENSE NOTICE ./
USER node
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["--help"]
