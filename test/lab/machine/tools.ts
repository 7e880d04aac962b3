import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * @param tools programs or paths, and the Debian packages that have them
 * @throws Error with the command that installs what is missing
 */
export function requireTools(tools: Readonly<Record<string, string>>): void {
  const missing = Object.entries(tools).filter(([tool]) => !isThere(tool));
  if (missing.length === 0) return;
  const names = missing.map(([tool]) => tool).join(', ');
  const packages = missing.map(([, packages]) => packages).join(' ');
  throw new Error(`missing here: ${names}; apt-get install -y --no-install-recommends ${packages}`);
}

function isThere(tool: string): boolean {
  return tool.startsWith('/') ? existsSync(tool) : spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}
