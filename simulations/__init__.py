"""Monte Carlo experiments over the library: grid → tasks → results store."""
