/** A pass-through proxy on @fastify/http-proxy, for comparison. Argument: the upstream's address. Prints its own. */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const server = fastify({ logger: false, keepAliveTimeout: 0 });
server.register(httpProxy, {
  upstream: process.argv[2],
  undici: { connections: 64, pipelining: 1 },
  disableRequestLogging: true,
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
