"""TechEx beside what people would use instead: `make compare` (not part of the wheel, and no test)."""
