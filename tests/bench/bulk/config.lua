return { app = { paid = env "BENCH_PAID" == "yes" } }
