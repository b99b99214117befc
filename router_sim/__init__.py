"""Simulated order routers: a fleet, its healthy and faulty behaviours, and the replay of 1 August 2012."""
