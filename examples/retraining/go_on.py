"""Serves the days that follow with whatever model is in its place by then."""

from lender import FIRST_DAYS, LAST_DAY, serve

if __name__ == "__main__":
    serve(FIRST_DAYS, LAST_DAY)
