"""The pages and their fragments. Each loads with the right to it, asks a service, and renders."""
