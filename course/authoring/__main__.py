"""`python -m course.authoring`: makes the notebooks (`make`), or checks that all is made and whole (`--check`)."""

from course.authoring.command import main

raise SystemExit(main())
