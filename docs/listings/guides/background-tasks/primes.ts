/** Enough computing to hold up every request, on the main thread. */
export function countPrimes(limit: number): number {
  let count = 0;
  for (let n = 2; n < limit; n++) {
    let isPrime = true;
    for (let d = 2; isPrime && d * d <= n; d++) isPrime = n % d !== 0;
    if (isPrime) count += 1;
  }
  return count;
}
