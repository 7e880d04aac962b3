import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sampleCost } from './sample-cost.js';

// HOTCOLD FLOOR REGIONS TICKS SLEEP_US ROUNDS: what a sample of `hotcold 256 100 32` costs, as JSON (sample-cost.ts). The
// first two are the programs that test/lab/workloads/hotcold.c and bench/floor.c were compiled to.

const [hotcold, floor, ...numbers] = process.argv.slice(2);
const [regions, ticks, sleepUs, rounds] = numbers.map(Number);
const workload = spawn(hotcold!, ['256', '100', '32'], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = await once(workload.stdout, 'data');
  const { ranges } = JSON.parse(String(line)) as { ranges: { start: string; end: string }[] };
  const page = (address: string) => Number.parseInt(address, 16) / 4_096;
  const startPage = page(ranges[0]!.start);
  const pages = page(ranges.at(-1)!.end) - startPage;
  const sampling = {
    pid: workload.pid!,
    startPage,
    pages,
    regions: regions!,
    ticks: ticks!,
    sleepUs: sleepUs!,
  };
  console.log(JSON.stringify(sampleCost(sampling, floor!, rounds!)));
} finally {
  workload.kill('SIGKILL');
}
