/** Parameters of a query string as the engine reads them: a semicolon parts them too, the last of a name counts. */
export function parametersOf(target: string): (name: string) => string | undefined {
  const question = target.indexOf('?');
  const query = question === -1 ? '' : target.slice(question + 1).replaceAll(';', '&');
  const parameters = new URLSearchParams(query);
  return (name) => parameters.getAll(name).at(-1);
}
