/** A pass-through proxy on httpxy, for comparison. Argument: the upstream's address. Prints its own. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'httpxy';

const agent = new Agent({ keepAlive: true });
const proxy = createProxyServer({ target: process.argv[2], agent });
const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  proxy.web(request, response).catch((error) => {
    if (!response.headersSent) response.writeHead(502);
    response.end(error.message);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
