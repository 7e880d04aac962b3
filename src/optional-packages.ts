import { PagepulseError, systemCode } from './core/errors.js';

/**
 * What needs packages that most programs with the library have no use for: optional peer dependencies in package.json,
 * which npm does not install by itself. They are some 85 MB of 95.
 */
const FEATURES = {
  svg: { does: 'draw an SVG picture', packages: ['echarts'] },
  html: { does: 'make a page', packages: ['echarts'] },
  png: {
    does: 'draw a PNG picture',
    packages: ['echarts', '@resvg/resvg-js', '@expo-google-fonts/roboto-mono'],
  },
  arrow: { does: 'read or write Arrow', packages: ['apache-arrow'] },
  csv: { does: 'read CSV', packages: ['csv-parse'] },
} as const;

/**
 * To be called before work begins that would be in vain.
 *
 * @throws PagepulseError `UNSUPPORTED` where a package is missing, with the command that installs it
 */
export function requirePackagesFor(feature: keyof typeof FEATURES): void {
  const { does, packages } = FEATURES[feature];
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const names = missing.join(' ');
  throw new PagepulseError(
    'UNSUPPORTED',
    `cannot ${does}: ${missing.length === 1 ? 'package' : 'packages'} ${names} not installed; ` +
      `run \`npm install ${names}\`, with -g if Pagepulse is installed globally`,
  );
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    // The package is there, but does not let its package.json be imported.
    return systemCode(error) === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
