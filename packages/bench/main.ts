process.stdout.write("There is nothing to measure yet.\n");
