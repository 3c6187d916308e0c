process.stdout.write("The chat is not here yet.\n");
