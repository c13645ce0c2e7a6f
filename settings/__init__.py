"""What is true: the host, the environment, the server's settings, agent classes and claims."""
