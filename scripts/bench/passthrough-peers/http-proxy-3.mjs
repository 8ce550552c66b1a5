/** A pass-through proxy on http-proxy-3, for comparison. Argument: the upstream's address. Prints its own. */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy-3';

const agent = new Agent({ keepAlive: true });
const proxy = httpProxy.createProxyServer({ target: process.argv[2], agent });
proxy.on('error', (error, _request, response) => {
  response.writeHead?.(502).end(error.message);
});
const server = createServer({ keepAliveTimeout: 0 }, (request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
